package dev.doorbell.vmm;

import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Source;
import java.util.List;
import java.util.Optional;

/// A guest's memory does not hold what is to be put there.
public final class GuestTooSmall extends VmmException {
  private static final long serialVersionUID = 1L;

  GuestTooSmall(long needed, Room available) {
    super(
        new Refusal(
            "GuestTooSmall",
            "the guest has 0x%x bytes of memory, and kernel, initramfs and device tree need 0x%x"
                .formatted(available.bytes(), needed),
            Optional.of(Refusal.Figure.bytes(needed)),
            Optional.of(Refusal.Figure.bytes(available.bytes())),
            List.of("the guest's memory"),
            Source.rule("Linux Documentation/arch/arm64/booting.rst, section 4"),
            "give it more memory (--memory)"));
  }

  /// What there is.
  record Room(long bytes) {}
}
