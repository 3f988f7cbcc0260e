package dev.doorbell.vfio;

import dev.doorbell.address.AddressRange;
import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Source;
import java.util.List;
import java.util.Optional;

/// The kernel fixes the MSI window itself and lets nobody register another one.
public final class WindowFixedByKernel extends VfioException {
  private static final long serialVersionUID = 1L;

  public WindowFixedByKernel(AddressRange asked, AddressRange fixed, Source source) {
    super(
        new Refusal(
            "WindowFixedByKernel",
            "cannot register MSI window %s: the kernel uses %s".formatted(asked, fixed),
            Optional.empty(),
            Optional.empty(),
            List.of("MSI window " + asked, "MSI window " + fixed + " of the kernel"),
            source,
            "lay memory out around " + fixed));
  }

  private WindowFixedByKernel(Refusal refusal) {
    super(refusal);
  }

  /// {@return the refusal where the kernel has no window either: what the functions send meets no mapping of the user's}
  public static WindowFixedByKernel needless(AddressRange asked, Source source) {
    return new WindowFixedByKernel(
        new Refusal(
            "WindowFixedByKernel",
            "cannot register MSI window %s: the kernel has the functions' messages in its own hands, and they need no window here"
                .formatted(asked),
            Optional.empty(),
            Optional.empty(),
            List.of("MSI window " + asked),
            source,
            "leave the window out; all IOVA ranges of the container may be mapped"));
  }
}
