"""Pages to hand round: each one file of HTML that fetches nothing, for the command line and the desk."""
