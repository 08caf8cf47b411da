from rest_framework.pagination import CursorPagination


class IdCursorPagination(CursorPagination):
    """Pages that neither skip nor repeat while rows are added."""

    ordering = "-id"
    page_size_query_param = "limit"
    max_page_size = 100
