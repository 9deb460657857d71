"""New York's clock, the exchange's calendar and its sessions."""
