"""How drf-spectacular describes our two ways in."""

from drf_spectacular.extensions import OpenApiAuthenticationExtension


class KeyScheme(OpenApiAuthenticationExtension):
    target_class = "shop.api.auth.KeyAuthentication"
    name = "apiKey"

    def get_security_definition(self, auto_schema):
        return {"type": "http", "scheme": "bearer", "description": "An API key of the admin, `fr_…`."}


class ShopperScheme(OpenApiAuthenticationExtension):
    target_class = "shop.api.auth.ShopperAuthentication"
    name = "shopperCookie"

    def get_security_definition(self, auto_schema):
        return {
            "type": "apiKey",
            "in": "cookie",
            "name": "shopper",
            "description": "The browser's own cookie; unsafe methods also need the CSRF token.",
        }
