"""The dashboard in a browser: a server on this host, and the page that hears an item."""
