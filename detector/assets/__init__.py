"""Watched assets: benches, signs, lamps, covers, rails and bins, compared with what was learnt."""
