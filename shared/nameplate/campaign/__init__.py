"""campaign.yaml as typed, strict, frozen settings; one module per section of the file."""

from nameplate.campaign.campaign import Campaign, load_campaign, parse_campaign
from nameplate.campaign.names import MIXED, ORIGINAL, SKULL

__all__ = ["MIXED", "ORIGINAL", "SKULL", "Campaign", "load_campaign", "parse_campaign"]
