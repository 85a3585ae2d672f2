"""How well the whole pipeline does on recordings with ground truth."""

from service.evaluation.cameras import Terms
from service.evaluation.evaluating import evaluate
from service.evaluation.figures import Figures
from service.evaluation.report import Report, Totals
from service.evaluation.row import Row
from service.evaluation.truth import load_truths

__all__ = ["Figures", "Report", "Row", "Terms", "Totals", "evaluate", "load_truths"]
