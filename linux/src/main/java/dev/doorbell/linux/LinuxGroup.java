package dev.doorbell.linux;

import dev.doorbell.explain.Source;
import dev.doorbell.iommu.NotIsolated;
import dev.doorbell.iommu.ReservedRegion;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.vfio.Container;
import dev.doorbell.vfio.Device;
import dev.doorbell.vfio.Group;
import dev.doorbell.vfio.InUse;
import dev.doorbell.vfio.NoSuchFunction;
import dev.doorbell.vfio.NotAttached;
import dev.doorbell.vfio.Viability;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// A group as the kernel made it. Which container has it is guarded by its own monitor, taken after a container's lock.
final class LinuxGroup implements Group {
  private final LinuxVfio vfio;
  private final int id;
  private final Map<Sbdf, LinuxDevice> open = new LinkedHashMap<>();
  private @Nullable LinuxContainer container;

  LinuxGroup(LinuxVfio vfio, int id) {
    this.vfio = vfio;
    this.id = id;
  }

  LinuxVfio vfio() {
    return vfio;
  }

  String name() {
    return "group " + id;
  }

  @Override
  public int id() {
    return id;
  }

  @Override
  public List<Sbdf> functions() {
    return vfio.files().functions(id);
  }

  @Override
  public List<String> because() {
    return List.of("the kernel lists them in /sys/kernel/iommu_groups/%d/devices".formatted(id));
  }

  @Override
  public Viability viability() {
    return new Viability(vfio.files().blockers(id));
  }

  @Override
  public List<ReservedRegion> reserved() {
    return vfio.files().reserved(id);
  }

  /// What can be seen of it without attaching the group; where nothing can, no isolation is claimed, and the kernel decides at `attach`.
  @Override
  public boolean isolatedMsi() {
    return vfio.files().isolation() == HostFiles.Isolation.ISOLATED;
  }

  /// The kernel refuses by itself, unless its administrator told it not to; this program's user may not have agreed to that.
  ///
  /// @param container that is to have the group
  void requireIsolation(String container) {
    boolean open = vfio.files().isolation() == HostFiles.Isolation.OPEN;
    boolean allowed = vfio.files().allowsUnsafeInterrupts(vfio.options().access());
    if (!isolatedMsi() && (open || allowed)) {
      throw new NotIsolated(
          container,
          name(),
          functions().getFirst().toString(),
          "the kernel's MSI controller",
          Source.file("proc/interrupts"));
    }
  }

  @Override
  public synchronized Optional<Container> container() {
    return Optional.ofNullable(container);
  }

  @Override
  public synchronized Device open(Sbdf function) {
    if (!functions().contains(function)) {
      throw new NoSuchFunction(
          function, name(), Source.file("sys/kernel/iommu_groups/" + id + "/devices"));
    }
    LinuxContainer c = container;
    if (c == null) {
      throw new NotAttached("open " + function, name(), "attach the group to a container first");
    }
    if (open.containsKey(function)) {
      throw new InUse("open " + function, function.toString(), "another user of " + name());
    }
    LinuxDevice d = LinuxDevice.open(this, c, function, c.device(this, function));
    open.put(function, d);
    return d;
  }

  synchronized void closed(LinuxDevice device) {
    open.remove(device.function(), device);
  }

  /// Reserves this group for a container.
  synchronized void take(LinuxContainer by) {
    LinuxContainer has = container;
    if (has != null) {
      throw new InUse("attach " + name() + " to " + by.name(), name(), has.name());
    }
    container = by;
  }

  /// Undoes {@link #take}.
  ///
  /// @throws InUse when a function is open
  synchronized void letGo() {
    requireNoDevice("detach " + name());
    container = null;
  }

  synchronized void requireNoDevice(String attempt) {
    if (!open.isEmpty()) {
      throw new InUse(attempt, name(), "open device " + open.keySet().iterator().next());
    }
  }
}
