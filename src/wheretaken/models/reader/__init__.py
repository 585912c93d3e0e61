"""The embedded model: an eye that reads text, and the thinking that turns it into a place."""
