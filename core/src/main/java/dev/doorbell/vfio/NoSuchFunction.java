package dev.doorbell.vfio;

import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Source;
import dev.doorbell.pci.Sbdf;
import java.util.List;
import java.util.Optional;

/// There is no such function behind an IOMMU, or not in this group.
public final class NoSuchFunction extends VfioException {
  private static final long serialVersionUID = 1L;

  public NoSuchFunction(Sbdf function, String where, Source source) {
    super(
        new Refusal(
            "NoSuchFunction",
            "there is no function %s in %s".formatted(function, where),
            Optional.empty(),
            Optional.empty(),
            List.of(function.toString(), where),
            source,
            "name one that `inspect` lists with a group"));
  }
}
