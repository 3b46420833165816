"""The 3D view: one viser server per editing session, behind the studio's own port."""
