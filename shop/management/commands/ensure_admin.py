import os

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError


class Command(BaseCommand):
    help = "Make the admin user that ADMIN_USERNAME and ADMIN_PASSWORD in the environment name, if it is not there."

    def handle(self, **options):
        name, password = os.environ.get("ADMIN_USERNAME"), os.environ.get("ADMIN_PASSWORD")
        if not name or not password:
            raise CommandError("Set ADMIN_USERNAME and ADMIN_PASSWORD in the environment.")
        if not get_user_model().objects.filter(username=name).exists():
            get_user_model().objects.create_superuser(name, password=password)
