"""Pages and plots that explain what was found."""
