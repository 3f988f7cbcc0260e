package dev.doorbell.linux;

import dev.doorbell.iommu.DoorbellFrame;
import dev.doorbell.pci.Sbdf;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Function;

/// How the running kernel is used.
///
/// @param calls the system calls
/// @param root where sysfs and procfs are, usually `/`
/// @param access which of the kernel's two interfaces is used
/// @param background whether a thread of its own hands interrupts on; without it {@link LinuxVfio#deliver} does
/// @param doorbells what is known of the doorbells that a function rings, to see a full MSI window before the kernel overruns it; nothing
///     is known of a function without any
public record LinuxOptions(
    SystemCalls calls,
    Path root,
    Access access,
    boolean background,
    Function<Sbdf, List<DoorbellFrame>> doorbells) {

  /// The kernel's interfaces to devices.
  public enum Access {
    /// `/dev/vfio/vfio` and a file for each group.
    CONTAINER,
    /// `/dev/iommu` and a file for each device.
    IOMMUFD
  }

  /// The running kernel through VFIO containers, interrupts handed on by a thread.
  public static final LinuxOptions USUAL =
      new LinuxOptions(
          SystemCalls.ofProcess(), Path.of("/"), Access.CONTAINER, true, f -> List.of());

  public LinuxOptions with(Access other) {
    return new LinuxOptions(calls, root, other, background, doorbells);
  }

  /// {@return options without a thread: interrupts are handed on by {@link LinuxVfio#deliver}}
  public LinuxOptions withoutThread() {
    return new LinuxOptions(calls, root, access, false, doorbells);
  }

  /// {@return options for sysfs and procfs at another place, as a container has its host's}
  public LinuxOptions at(Path otherRoot) {
    return new LinuxOptions(calls, otherRoot, access, background, doorbells);
  }

  public LinuxOptions withDoorbells(Function<Sbdf, List<DoorbellFrame>> known) {
    return new LinuxOptions(calls, root, access, background, known);
  }
}
