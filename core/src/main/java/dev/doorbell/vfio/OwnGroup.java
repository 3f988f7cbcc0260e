package dev.doorbell.vfio;

import dev.doorbell.explain.Source;
import dev.doorbell.iommu.Iommu;
import dev.doorbell.iommu.IommuGroup;
import dev.doorbell.iommu.ReservedRegion;
import dev.doorbell.pci.PciFunction;
import dev.doorbell.pci.Sbdf;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// A group of Doorbell's own stack. Which container has it is guarded by its own monitor, taken after a container's lock.
final class OwnGroup implements Group {
  private final OwnVfio vfio;
  private final IommuGroup group;
  private final Map<Sbdf, OwnDevice> open = new LinkedHashMap<>();
  private @Nullable OwnContainer container;

  OwnGroup(OwnVfio vfio, IommuGroup group) {
    this.vfio = vfio;
    this.group = group;
  }

  static Iommu iommu(IommuGroup group) {
    return group.members().getFirst().streams().getFirst().iommu();
  }

  IommuGroup group() {
    return group;
  }

  OwnVfio vfio() {
    return vfio;
  }

  String name() {
    return group.name();
  }

  /// {@return the functions that can be opened}
  List<HostFunction> hostFunctions() {
    return vfio.host().functions().stream().filter(f -> f.group() == group).toList();
  }

  @Override
  public int id() {
    return group.id();
  }

  @Override
  public List<Sbdf> functions() {
    return group.members().stream().map(m -> Sbdf.parse(m.name())).toList();
  }

  @Override
  public List<String> because() {
    return group.because();
  }

  @Override
  public Viability viability() {
    List<Viability.Blocker> blockers = new ArrayList<>();
    String because =
        group.because().isEmpty() ? "they are in " + name() : String.join("; ", group.because());
    Optional<String> domain = foreignDomain();
    for (HostFunction f : hostFunctions()) {
      f.driver()
          .map(d -> "driver " + d)
          .or(() -> domain)
          .filter(_ -> !isPort(f))
          .ifPresent(u -> blockers.add(new Viability.Blocker(f.sbdf().toString(), u, because)));
    }
    return new Viability(blockers);
  }

  /// {@return the domain of somebody beside this stack's users that the host has put the group into}
  private synchronized Optional<String> foreignDomain() {
    return container != null ? Optional.empty() : group.domain().map(d -> "domain " + d.name());
  }

  private static boolean isPort(HostFunction f) {
    return PciFunction.of(f.sbdf(), f.config(), f.sbdf().toString()).isBridge();
  }

  @Override
  public List<ReservedRegion> reserved() {
    return group.reserved();
  }

  @Override
  public boolean isolatedMsi() {
    return group.isolatedMsi();
  }

  @Override
  public synchronized Optional<Container> container() {
    return Optional.ofNullable(container);
  }

  @Override
  public synchronized Device open(Sbdf function) {
    HostFunction f =
        hostFunctions().stream()
            .filter(h -> h.sbdf().equals(function) && !isPort(h))
            .findFirst()
            .orElseThrow(
                () -> new NoSuchFunction(function, name(), Source.rule("members of " + name())));
    if (container == null) {
      throw new NotAttached("open " + function, name(), "attach the group to a container first");
    }
    if (open.containsKey(function)) {
      throw new InUse("open " + function, function.toString(), "another user of " + name());
    }
    OwnDevice d = OwnDevice.open(this, f);
    open.put(function, d);
    return d;
  }

  synchronized void closed(OwnDevice device) {
    open.remove(device.function(), device);
  }

  /// Reserves this group for a container.
  synchronized void take(OwnContainer by) {
    if (container != null) {
      throw new InUse("attach " + name() + " to " + by.name(), name(), container.name());
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
