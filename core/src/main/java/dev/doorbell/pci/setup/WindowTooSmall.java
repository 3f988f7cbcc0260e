package dev.doorbell.pci.setup;

import dev.doorbell.explain.Refusal.Figure;
import dev.doorbell.explain.Source;
import java.util.ArrayList;
import java.util.List;

/// The host bridge's windows have no room for a BAR, or for the window of a bridge.
public final class WindowTooSmall extends PciSetupException {
  private static final long serialVersionUID = 1L;

  private WindowTooSmall(String message, long needed, long available, Objects objects) {
    super(
        refusal("WindowTooSmall", message, Figure.bytes(needed), Figure.bytes(available), objects));
  }

  /// @param windows those that the claim may lie in
  /// @param available bytes of their largest free run that starts where the claim could
  static WindowTooSmall of(Claim claim, List<PciWindow> windows, long available) {
    String where =
        windows.isEmpty()
            ? "the host bridge has no window that it may lie in"
            : "%s %s 0x%x free from such an address"
                .formatted(
                    String.join(", ", windows.stream().map(PciWindow::toString).toList()),
                    windows.size() == 1 ? "has" : "have",
                    available);
    List<String> names = new ArrayList<>();
    names.add(claim.name());
    windows.forEach(w -> names.add(w.toString()));
    return new WindowTooSmall(
        "%s needs 0x%x bytes at a multiple of 0x%x, and %s"
            .formatted(claim.name(), claim.bytes(), claim.alignment(), where),
        claim.bytes(),
        available,
        new Objects(
            names,
            Source.rule("windows of the host bridge, sizes of the BARs"),
            "take functions away, or give the host bridge a window of at least 0x%x bytes at a multiple of 0x%x"
                .formatted(claim.bytes(), claim.alignment())));
  }
}
