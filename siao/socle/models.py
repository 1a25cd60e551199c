from siao.socle.courriels import Courriel

__all__ = ["Courriel"]
