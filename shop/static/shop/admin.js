// The style that htmx would write into the page is not allowed there, and not needed.
htmx.config.includeIndicatorStyles = false;
