package dev.doorbell.vmm;

import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Source;
import java.util.List;
import java.util.Optional;

/// A file is no kernel that this machine starts.
public final class NotAnImage extends VmmException {
  private static final long serialVersionUID = 1L;

  NotAnImage(String file, String reason) {
    super(
        new Refusal(
            "NotAnImage",
            "%s cannot be started: %s".formatted(file, reason),
            Optional.empty(),
            Optional.empty(),
            List.of(file),
            Source.rule("Linux Documentation/arch/arm64/booting.rst, section 4"),
            "give an uncompressed arm64 Image (`gunzip`, or unpack the EFI zboot file)"));
  }
}
