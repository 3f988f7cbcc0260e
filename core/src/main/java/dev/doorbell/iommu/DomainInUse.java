package dev.doorbell.iommu;

import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Source;
import java.util.List;
import java.util.Optional;

/// A domain cannot be closed while groups are attached to it.
public final class DomainInUse extends IommuException {
  private static final long serialVersionUID = 1L;

  public DomainInUse(String domain, List<String> groups) {
    super(
        new Refusal(
            "DomainInUse",
            "cannot close %s: %s is attached".formatted(domain, String.join(", ", groups)),
            Optional.empty(),
            Optional.empty(),
            groups,
            Source.rule("a domain outlives its groups' attachment"),
            "detach the groups first"));
  }
}
