"""How well the whole pipeline does on recordings with ground truth."""

from service.evaluation.evaluating import evaluate
from service.evaluation.report import Report, Row, Totals
from service.evaluation.truth import load_truths
from service.evaluation.watching import Terms

__all__ = ["Report", "Row", "Terms", "Totals", "evaluate", "load_truths"]
