"""An account is only needed to find one's try-ons again on another device."""

from django.contrib.auth import login, views
from django.contrib.auth.forms import UserCreationForm
from django.shortcuts import resolve_url
from django.urls import reverse_lazy
from django.views.generic import CreateView


class SignIn(views.LoginView):
    template_name = "frontend/sign_in.html"
    redirect_authenticated_user = True


class SignOut(views.LogoutView):
    pass


class SignUp(views.RedirectURLMixin, CreateView):
    form_class = UserCreationForm
    template_name = "frontend/sign_up.html"
    next_page = reverse_lazy("frontend:garments")

    def form_valid(self, form):
        response = super().form_valid(form)
        login(self.request, self.object, backend="django.contrib.auth.backends.ModelBackend")
        return response

    def get_context_data(self, **kwargs):
        return super().get_context_data(next=self.get_redirect_url(), **kwargs)

    def get_success_url(self):
        return self.get_redirect_url() or resolve_url(self.next_page)
