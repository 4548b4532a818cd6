"""The web site, the API and the command line of Pagefate; the simulator itself is `engine`."""
