// Frontends
