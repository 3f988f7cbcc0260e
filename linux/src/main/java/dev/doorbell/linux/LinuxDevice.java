package dev.doorbell.linux;

import dev.doorbell.address.AddressRange;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.explain.Source;
import dev.doorbell.irq.TooFewVectors;
import dev.doorbell.pci.ConfigHeaderLayout;
import dev.doorbell.pci.ConfigSpace;
import dev.doorbell.pci.MsixCapability;
import dev.doorbell.pci.PciFunction;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.vfio.BarRegion;
import dev.doorbell.vfio.Device;
import dev.doorbell.vfio.EnabledVectors;
import dev.doorbell.vfio.HostBar;
import dev.doorbell.vfio.IrqInfo;
import dev.doorbell.vfio.IrqType;
import dev.doorbell.vfio.NoSuchIrqs;
import dev.doorbell.vfio.RegionInfo;
import dev.doorbell.vfio.RegionType;
import dev.doorbell.vfio.Trigger;
import dev.doorbell.vfio.VectoredDevice;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// A function opened through the running kernel. Besides what every {@link Device} does: BARs can be mapped, and the function can be reset
/// together with those that share its reset.
public final class LinuxDevice extends VectoredDevice {
  private final LinuxGroup group;
  private final LinuxContainer container;
  private final Sbdf function;
  private final Descriptor descriptor;
  private final Map<RegionType, DeviceRegion> regions = new EnumMap<>(RegionType.class);
  private final Map<RegionType, BarRegion> bars = new EnumMap<>(RegionType.class);
  private final Map<IrqType, DeviceInfo.Irqs> irqs = new EnumMap<>(IrqType.class);
  private final ConfigSpace config;
  private final DeviceNotices notices = new DeviceNotices(this);

  private LinuxDevice(
      LinuxGroup group, LinuxContainer container, Sbdf function, Descriptor descriptor) {
    this.group = group;
    this.container = container;
    this.function = function;
    this.descriptor = descriptor;
    for (RegionType t : RegionType.values()) {
      DeviceInfo.region(descriptor, function, t).ifPresent(r -> regions.put(t, r));
    }
    DeviceRegion c = regions.get(RegionType.CONFIG);
    if (c == null) {
      throw new IllegalStateException(function + " has no configuration space in this kernel");
    }
    config = c.asConfig();
    for (IrqType t : IrqType.values()) {
      irqs.put(t, DeviceInfo.irqs(descriptor, t));
    }
    Optional<MsixCapability> msix =
        PciFunction.of(function, config, function.toString()).msix().thing();
    regions.forEach((t, r) -> {
      if (t.ordinal() <= RegionType.BAR5.ordinal()) {
        bars.put(t, BarRegion.of(new HostBar(t.ordinal(), r.bytes(), r), msix));
      }
    });
  }

  /// Opens a function; its file is this object's own from now on.
  static LinuxDevice open(
      LinuxGroup group, LinuxContainer container, Sbdf function, Descriptor descriptor) {
    try {
      return new LinuxDevice(group, container, function, descriptor);
    } catch (RuntimeException | Error e) {
      descriptor.close();
      throw e;
    }
  }

  LinuxVfio vfio() {
    return group.vfio();
  }

  Descriptor descriptor() {
    return descriptor;
  }

  @Override
  public Sbdf function() {
    return function;
  }

  @Override
  public List<RegionInfo> regions() {
    List<RegionInfo> out = new ArrayList<>();
    for (RegionType t : RegionType.values()) {
      DeviceRegion r = regions.get(t);
      BarRegion bar = bars.get(t);
      if (r == null) {
        out.add(new RegionInfo(t, 0, false, false, List.of()));
      } else {
        out.add(
            new RegionInfo(
                t,
                r.bytes(),
                r.isReadable(),
                r.isWritable(),
                bar == null ? List.of() : r.mappableWithin(bar.info().mappable())));
      }
    }
    return out;
  }

  @Override
  public RegisterBus region(RegionType type) {
    RegisterBus r = bars.containsKey(type) ? bars.get(type) : regions.get(type);
    if (r == null) {
      throw new IllegalArgumentException("%s has no region %s".formatted(function, type));
    }
    return r;
  }

  /// {@return a part of a BAR, mapped into this process until an arena closes}
  ///
  /// Accesses are the processor's own: whoever writes memory for the function before a register here puts a barrier between them, stronger
  /// than Java's fences where the architecture tells device memory apart (Arm: `dsb`). Accesses through {@link #region} need none.
  ///
  /// @param offsets within the BAR, inside what {@link #regions} calls mappable
  /// @throws IllegalArgumentException when they are not mappable
  /// @throws ErrnoException when the kernel refuses
  public MemorySegment map(RegionType type, AddressRange offsets, Arena arena) {
    boolean may =
        regions().get(type.ordinal()).mappable().stream().anyMatch(m -> m.contains(offsets));
    DeviceRegion r = regions.get(type);
    if (!may || r == null) {
      throw new IllegalArgumentException(
          "%s of region %s of %s cannot be mapped".formatted(offsets, type, function));
    }
    return r.map(arena, offsets, Because::general);
  }

  /// {@return a region's file part, without this object's care for the MSI-X table}
  Optional<DeviceRegion> bare(RegionType type) {
    return Optional.ofNullable(regions.get(type));
  }

  /// {@return the configuration space as the kernel shows it to a user}
  @Override
  public ConfigSpace config() {
    return config;
  }

  @Override
  public List<IrqInfo> irqs() {
    List<IrqInfo> out = new ArrayList<>();
    irqs.forEach((t, i) -> out.add(new IrqInfo(t, i.count(), i.isResizable(t))));
    return out;
  }

  private DeviceInfo.Irqs irqs(IrqType type) {
    return Objects.requireNonNull(irqs.get(type));
  }

  @Override
  protected int count(IrqType type) {
    return irqs(type).count();
  }

  @Override
  public int enable(IrqType type, int min, List<? extends Trigger> triggers) {
    if (!DeviceNotices.isNotice(type)) {
      return super.enable(type, min, triggers);
    }
    requireEnough(min, triggers);
    lock.lock();
    try {
      requireOpen();
      requireAny(type);
      notices.lead(type, triggers.getFirst());
      return 1;
    } finally {
      lock.unlock();
    }
  }

  private void requireAny(IrqType type) {
    if (count(type) == 0) {
      throw new NoSuchIrqs(function, type, Source.rule("Linux VFIO_DEVICE_GET_IRQ_INFO"));
    }
  }

  @Override
  protected EnabledVectors take(IrqType type, int min, List<? extends Trigger> triggers) {
    requireAny(type);
    if (count(type) < min) {
      throw new TooFewVectors(function.toString(), type.toString(), count(type), min);
    }
    container.requireRoomForDoorbells();
    List<? extends Trigger> used = triggers.subList(0, Math.min(triggers.size(), count(type)));
    return LinuxVectors.enable(this, type, irqs(type).isMaskable(), min, used);
  }

  @Override
  protected Optional<Source> fixed(IrqType type) {
    return irqs(type).isResizable(type)
        ? Optional.empty()
        : Optional.of(Source.rule("Linux VFIO_IRQ_INFO_NORESIZE of " + type));
  }

  @Override
  public void reset() {
    lock.lock();
    try {
      requireOpen();
      descriptor.ioctl(VfioLayout.VFIO_DEVICE_RESET, MemorySegment.NULL, HotReset::noneOfItsOwn);
      bars.values().forEach(BarRegion::reset);
    } finally {
      lock.unlock();
    }
  }

  /// {@return the file by which KVM knows the function: its group's, or with iommufd its own; the container's to close}
  public Descriptor kvmFile() {
    return container.space().kvmFile(group, function);
  }

  /// {@return functions that are reset together with this one, itself included}
  ///
  /// @throws ErrnoException with ENODEV when its bus or slot cannot be reset
  public List<Sbdf> resetTogether() {
    return HotReset.together(descriptor);
  }

  /// Resets the bus or slot of the function. All functions that share it must be in this container's groups.
  ///
  /// @throws ErrnoException when one of them is not, or the bus cannot be reset
  public void hotReset() {
    lock.lock();
    try {
      requireOpen();
      HotReset.perform(descriptor, container.space());
      bars.values().forEach(BarRegion::reset);
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void close() {
    lock.lock();
    try {
      if (isClosed()) {
        return;
      }
      EnabledVectors v = leave().orElse(null);
      // Last first; each is tried, whatever the one before throws.
      try (Step _ = () -> letGo(v);
          Step _ = this::stopDma;
          Step _ = notices::release) {
        if (v != null) {
          v.release();
        }
      }
    } finally {
      lock.unlock();
    }
  }

  /// A step of {@link #close}.
  private interface Step extends AutoCloseable {
    @Override
    void close();
  }

  private void letGo(@Nullable EnabledVectors v) {
    if (v != null) {
      v.close();
    }
    notices.close();
    descriptor.close();
    group.closed(this);
  }

  /// The kernel does it when the last descriptor closes; with iommufd the container keeps one.
  private void stopDma() {
    int at = (int) ConfigHeaderLayout.COMMAND.offset();
    long command = ConfigHeaderLayout.BUS_MASTER_ENABLE.with(config.read16(at), 0);
    config.write(at, (int) command, Short.BYTES);
  }
}
