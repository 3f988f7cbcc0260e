package dev.doorbell.iommu;

import dev.doorbell.address.AddressRange;
import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Source;
import java.util.List;
import java.util.Optional;

/// A domain has its MSI window already.
public final class MsiWindowAlreadySet extends IommuException {
  private static final long serialVersionUID = 1L;

  public MsiWindowAlreadySet(String domain, AddressRange asked, AddressRange set) {
    super(
        new Refusal(
            "MsiWindowAlreadySet",
            "cannot reserve MSI window %s on %s: it has MSI window %s"
                .formatted(asked, domain, set),
            Optional.empty(),
            Optional.empty(),
            List.of("MSI window " + asked, "MSI window " + set + " of " + domain),
            Source.rule("a domain has one MSI window"),
            "remove the window that is set while no doorbell is mapped in it, or use another domain"));
  }
}
