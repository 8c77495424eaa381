// Meson wants at least one source in a library.
