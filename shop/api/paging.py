from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.fields import DateTimeField, Field, IntegerField
from rest_framework.pagination import CursorPagination


class Pages(CursorPagination):
    """Pages that neither skip nor repeat while rows are added. `place` reads what a cursor says of its row."""

    place: Field
    page_size_query_param = "limit"
    max_page_size = 100

    def decode_cursor(self, request):
        cursor = super().decode_cursor(request)
        if cursor and cursor.position is not None:
            try:
                self.place.run_validation(cursor.position)
            except ValidationError:
                raise NotFound(self.invalid_cursor_message) from None
        return cursor


class ByNumber(Pages):
    ordering = "-id"
    place = IntegerField()


class ByAge(Pages):
    ordering = ("-created", "-id")
    place = DateTimeField()
