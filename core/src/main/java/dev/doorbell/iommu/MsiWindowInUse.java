package dev.doorbell.iommu;

import dev.doorbell.address.AddressRange;
import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Source;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// A window cannot be removed: doorbells are mapped in it.
public final class MsiWindowInUse extends IommuException {
  private static final long serialVersionUID = 1L;

  public MsiWindowInUse(String domain, AddressRange window, List<String> doorbells) {
    super(
        new Refusal(
            "MsiWindowInUse",
            "cannot remove MSI window %s of %s: %s is mapped in it"
                .formatted(window, domain, String.join(", ", doorbells)),
            Optional.empty(),
            Optional.empty(),
            named("MSI window " + window + " of " + domain, doorbells),
            Source.rule("doorbells mapped in " + domain),
            "release the vectors of the functions in " + domain + " first"));
  }

  private static List<String> named(String first, List<String> rest) {
    List<String> out = new ArrayList<>();
    out.add(first);
    out.addAll(rest);
    return out;
  }
}
