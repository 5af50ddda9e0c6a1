"""Service Quotas: tells the limits of the simulated Bedrock."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bedrock_customization.rehearsal.services.api import ApiCall
from bedrock_customization.rehearsal.services.api_error import ApiError
from bedrock_customization.rehearsal.services.bedrock.service import Bedrock


class ServiceQuotas:
    """Answers GetServiceQuota and GetAWSDefaultServiceQuota for the quotas of Bedrock that the rehearsal keeps.

    Both give the same value: no quota of the rehearsed account differs from what the rehearsal is told.

    Args:
        bedrock: The simulated Bedrock.
    """

    def __init__(self, bedrock: Bedrock) -> None:
        self._values: dict[str, tuple[str, Callable[[], int]]] = {
            "L-C02E1E99": (
                "Custom models with a creating status per account",
                lambda: bedrock.jobs.concurrent_jobs,
            ),
            "L-BE77399C": (
                "Model units no-commitment Provisioned Throughputs across custom models",
                lambda: bedrock.provisioned_models.no_commitment_units,
            ),
        }

    def knows(self, operation: str) -> bool:
        """These two operations are simulated here; the rest is refused."""
        return operation in ("GetServiceQuota", "GetAWSDefaultServiceQuota")

    def answer(self, call: ApiCall) -> dict[str, Any] | None:
        """Answer with the quota.

        Raises:
            ApiError: The quota is not known.
        """
        if not self.knows(call.operation):
            raise NotImplementedError(f"servicequotas:{call.operation} is not simulated")
        code = call.parameters["QuotaCode"]
        if call.parameters["ServiceCode"] != "bedrock" or code not in self._values:
            raise ApiError("NoSuchResourceException", "The request failed because the specified quota does not exist.")
        name, value = self._values[code]
        return {
            "Quota": {
                "ServiceCode": "bedrock",
                "ServiceName": "Amazon Bedrock",
                "QuotaCode": code,
                "QuotaName": name,
                "Value": float(value()),
                "Unit": "None",
                "Adjustable": True,
                "GlobalQuota": False,
            }
        }
