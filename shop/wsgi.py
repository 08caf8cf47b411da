import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
# Read by numpy's OpenBLAS when it is imported: its second thread costs a list more than it saves, by waiting for work.
os.environ.setdefault("OMP_NUM_THREADS", "1")
application = get_wsgi_application()
