package dev.doorbell.vfio;

import dev.doorbell.bus.RegisterBus;
import dev.doorbell.explain.Source;
import dev.doorbell.irq.MsiFunction;
import dev.doorbell.pci.ConfigAccess;
import dev.doorbell.pci.ConfigHeaderLayout;
import dev.doorbell.pci.ConfigSpace;
import dev.doorbell.pci.MessageTable;
import dev.doorbell.pci.MsiCapability;
import dev.doorbell.pci.MsixCapability;
import dev.doorbell.pci.PciFunction;
import dev.doorbell.pci.Sbdf;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// An open function of Doorbell's own stack.
final class OwnDevice implements Device {
  private final OwnGroup group;
  private final HostFunction host;
  private final PciFunction pci;
  private final Optional<MsixCapability> msix;
  private final VirtualConfig config;
  private final Map<Integer, BarRegion> bars = new TreeMap<>();
  private final SavedHeader opened;
  private final ReentrantLock lock = new ReentrantLock();
  private @Nullable OwnVectors vectors;
  private boolean closed;

  private OwnDevice(OwnGroup group, HostFunction host) {
    this.group = group;
    this.host = host;
    this.pci = PciFunction.of(host.sbdf(), host.config(), host.sbdf().toString());
    this.msix = pci.msix().thing();
    this.opened = SavedHeader.of(host.config());
    this.config = VirtualConfig.of(pci, host.config(), host.bars(), this::reset);
    host.bars().forEach(b -> bars.put(b.index(), BarRegion.of(b, msix)));
  }

  /// Opens a function: its registers answer, and it reaches nothing until its user lets it.
  static OwnDevice open(OwnGroup group, HostFunction host) {
    OwnDevice d = new OwnDevice(group, host);
    d.decodeWithoutDma();
    return d;
  }

  private void decodeWithoutDma() {
    ConfigAccess header = ConfigAccess.header(host.config());
    long command = header.read(ConfigHeaderLayout.COMMAND);
    command = ConfigHeaderLayout.BUS_MASTER_ENABLE.with(command, 0);
    command = ConfigHeaderLayout.MEMORY_SPACE_ENABLE.with(command, 1);
    header.write(ConfigHeaderLayout.COMMAND, command);
  }

  @Override
  public Sbdf function() {
    return host.sbdf();
  }

  @Override
  public List<RegionInfo> regions() {
    List<RegionInfo> out = new ArrayList<>();
    for (RegionType t : RegionType.values()) {
      out.add(
          switch (t) {
            case BAR0, BAR1, BAR2, BAR3, BAR4, BAR5 -> {
              BarRegion bar = bars.get(t.ordinal());
              yield bar == null ? none(t) : bar.info();
            }
            case ROM -> none(t);
            case CONFIG -> new RegionInfo(t, config.size(), true, true, List.of());
          });
    }
    return out;
  }

  private static RegionInfo none(RegionType type) {
    return new RegionInfo(type, 0, false, false, List.of());
  }

  @Override
  public RegisterBus region(RegionType type) {
    BarRegion bar = bars.get(type.ordinal());
    if (type == RegionType.CONFIG) {
      return new ConfigRegion(config);
    }
    if (bar == null) {
      throw new IllegalArgumentException("%s has no region %s".formatted(function(), type));
    }
    return bar;
  }

  @Override
  public ConfigSpace config() {
    return config;
  }

  @Override
  public List<IrqInfo> irqs() {
    List<IrqInfo> out = new ArrayList<>();
    for (IrqType t : IrqType.values()) {
      out.add(new IrqInfo(t, count(t), t == IrqType.MSIX && count(t) > 0));
    }
    return out;
  }

  private int count(IrqType type) {
    return switch (type) {
      case MSI -> pci.msi().thing().map(MsiCapability::size).orElse(0);
      case MSIX -> table().map(MessageTable::size).orElse(0);
      case INTX, ERR, REQ -> 0;
    };
  }

  @Override
  public int enable(IrqType type, int min, List<? extends Trigger> triggers) {
    lock.lock();
    try {
      requireOpen();
      if (vectors != null) {
        throw new InUse(
            "enable %s of %s".formatted(type, function()),
            function().toString(),
            vectors.type() + " vectors");
      }
      MsiFunction msi = MsiFunction.of(function().toString(), table(type), host.msiDomain());
      OwnVectors enabled =
          OwnVectors.enable(type, msi, group.vfio().host().interrupts(), min, triggers);
      vectors = enabled;
      return enabled.count();
    } finally {
      lock.unlock();
    }
  }

  private MessageTable table(IrqType type) {
    Optional<? extends MessageTable> found =
        switch (type) {
          case MSI -> pci.msi().thing();
          case MSIX -> table();
          case INTX, ERR, REQ -> Optional.empty();
        };
    if (found.isEmpty()) {
      throw new NoSuchIrqs(function(), type, Source.rule("configuration space of " + function()));
    }
    return found.get();
  }

  /// {@return the MSI-X vectors, where both BARs that hold them are there}
  private Optional<MessageTable> table() {
    return msix.flatMap(m ->
        host.bar(m.tableBar())
            .flatMap(t -> host.bar(m.pbaBar()).map(p -> m.table(t.registers(), p.registers()))));
  }

  @Override
  public void disable() {
    lock.lock();
    try {
      OwnVectors v = vectors;
      if (v != null) {
        v.release();
        vectors = null;
      }
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void add(int vector, Trigger trigger) {
    lock.lock();
    try {
      OwnVectors v = enabled();
      if (v.has(vector)) {
        v.lead(vector, trigger);
        return;
      }
      requireResizable(v);
      if (vector < 0 || vector >= count(v.type())) {
        throw new IllegalArgumentException(
            "%s has %d vectors, not number %d".formatted(function(), count(v.type()), vector));
      }
      v.add(vector, trigger);
    } finally {
      lock.unlock();
    }
  }

  @Override
  public Optional<Trigger> trigger(int vector) {
    lock.lock();
    try {
      OwnVectors v = vectors;
      return v == null ? Optional.empty() : v.trigger(vector);
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void remove(int vector) {
    lock.lock();
    try {
      OwnVectors v = enabled();
      requireResizable(v);
      v.remove(vector);
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void mask(int vector, boolean masked) {
    lock.lock();
    try {
      enabled().mask(vector, masked);
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void loopback(int vector) {
    lock.lock();
    try {
      enabled().loopback(vector);
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void reset() {
    lock.lock();
    try {
      requireOpen();
      SavedHeader placed = SavedHeader.of(host.config());
      host.functionReset().run();
      placed.restore();
      config.reset();
      bars.values().forEach(BarRegion::reset);
      if (vectors != null) {
        vectors.reapply();
      }
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void close() {
    lock.lock();
    try {
      if (closed) {
        return;
      }
      disable();
      opened.restore();
      closed = true;
      group.closed(this);
    } finally {
      lock.unlock();
    }
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException(function() + " is closed");
    }
  }

  private OwnVectors enabled() {
    requireOpen();
    if (vectors == null) {
      throw new IllegalArgumentException(function() + " has no vectors enabled");
    }
    return vectors;
  }

  private void requireResizable(OwnVectors v) {
    if (v.type() != IrqType.MSIX) {
      throw new VectorsFixed(
          function(), v.type(), Source.rule("PCIe 6.0 7.7.1 Multiple Message Enable"));
    }
  }
}
