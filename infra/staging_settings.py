"""The settings of a staging stack: a cluster that somebody else made, and no account of AWS."""

from typing import Literal

from pydantic import Field

from infra.cluster_settings import AnyClusterSettings
from infra.settings_section import Section


class StagingSettings(Section):
    """All settings of a staging stack. Which cluster it stands in says `kubernetes:context`."""

    environment: Literal["staging"] = Field(description="Kind of stack: production or staging.")
    cluster: AnyClusterSettings = AnyClusterSettings()
