"""More rows like those of training: a Gaussian copula, and a gate that says whether they may be used."""

from seaway.data.synthetic.copula import Copula
from seaway.data.synthetic.make import Wanted, synthesize
from seaway.data.synthetic.quality import Quality, measure

__all__ = ["Copula", "Quality", "Wanted", "measure", "synthesize"]
