"""Model people for the sample shop, rendered offline: body, hair, clothes, scene."""
