"""All drills, in the order in which they are begun where nothing else decides."""

from ops.drill.audit_drills import AUDIT_DRILLS
from ops.drill.drift_drills import DRIFT_DRILLS
from ops.drill.ingestion_drills import INGESTION_DRILLS
from ops.drill.search_drills import SEARCH_DRILLS

DRILLS = (*INGESTION_DRILLS, *SEARCH_DRILLS, *DRIFT_DRILLS, *AUDIT_DRILLS)
DRILLS_BY_NAME = {drill.name: drill for drill in DRILLS}
