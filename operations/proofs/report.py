"""What `operations audit` says: a line per component, and in full what does not hold."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from operations.interaction import Interaction
from operations.proofs.judge import Proof


def print_proofs(interaction: Interaction, proofs: Sequence[Proof], *, verbose: bool) -> None:
    """Print judged claims.

    Args:
        interaction: The terminal.
        proofs: The judged claims.
        verbose: Whether those that hold are printed in full too.
    """
    failed = [proof for proof in proofs if not proof.passed]
    width = max((len(proof.claim.component) for proof in proofs), default=0)
    for component, judged in _by_component(proofs).items():
        broken = sum(not proof.passed for proof in judged)
        verdict = f"FAIL {broken} of {len(judged)}" if broken else f"PASS {len(judged)}"
        interaction.say(f"{verdict:<13} {component:<{width}}  {_controls(judged)}")
    for proof in proofs if verbose else failed:
        interaction.say("\n" + "\n".join(_lines(proof)))
    interaction.say(f"\n{len(proofs) - len(failed)} of {len(proofs)} claims hold.")
    interaction.result({"passed": not failed, "proofs": [proof.document() for proof in proofs]})


def _by_component(proofs: Iterable[Proof]) -> Mapping[str, Sequence[Proof]]:
    found: defaultdict[str, list[Proof]] = defaultdict(list)
    for proof in proofs:
        found[proof.claim.component].append(proof)
    return found


def _controls(proofs: Iterable[Proof]) -> str:
    """Return `CIS-AWS-3.6 5.2, SOC2-CC6.1`: every control once, its framework only before the first."""
    frameworks: defaultdict[str, list[str]] = defaultdict(list)
    for control in sorted({control for proof in proofs for control in proof.claim.controls}):
        framework, _, number = control.rpartition("-")
        frameworks[framework].append(number)
    return ", ".join(f"{framework}-{' '.join(numbers)}" for framework, numbers in frameworks.items())


def _lines(proof: Proof) -> Iterable[str]:
    claim = proof.claim
    required = f"{claim.comparison} {'' if claim.operand is None else claim.operand}".rstrip()
    yield f"{'PASS' if proof.passed else 'FAIL'} {claim.fact} of {claim.component}"
    yield f"  subject   {claim.subject}"
    yield f"  controls  {', '.join(claim.controls)}"
    yield f"  claimed   {claim.value}, required: {required}"
    yield f"  evidence  {proof.reason or proof.observed}"
    if proof.call:
        yield f"  call      {proof.call}"
