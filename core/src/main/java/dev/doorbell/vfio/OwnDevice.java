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

/// An open function of Doorbell's own stack.
final class OwnDevice extends VectoredDevice {
  private final OwnGroup group;
  private final HostFunction host;
  private final PciFunction pci;
  private final Optional<MsixCapability> msix;
  private final VirtualConfig config;
  private final Map<Integer, BarRegion> bars = new TreeMap<>();
  private final SavedHeader opened;
  private volatile boolean letGo;

  private OwnDevice(OwnGroup group, HostFunction host) {
    this.group = group;
    this.host = host;
    this.pci = PciFunction.of(host.sbdf(), host.config(), host.sbdf().toString());
    this.msix = pci.msix().thing();
    this.opened = SavedHeader.of(pci, host.config());
    this.config =
        VirtualConfig.of(
            pci, WhileOpen.config(host.config(), this::requireNotLetGo), host.bars(), this::reset);
    host.bars().forEach(b -> bars.put(b.index(), BarRegion.of(whileOpen(b), msix)));
  }

  private HostBar whileOpen(HostBar bar) {
    return new HostBar(
        bar.index(),
        bar.bytes(),
        bar.type(),
        WhileOpen.registers(bar.registers(), this::requireNotLetGo));
  }

  /// Without the lock, which a reset asked for by a register is under.
  private void requireNotLetGo() {
    if (letGo) {
      throw new IllegalStateException(function() + " is closed");
    }
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
      out.add(new IrqInfo(t, count(t), count(t) > 0 && fixed(t).isEmpty()));
    }
    return out;
  }

  @Override
  protected int count(IrqType type) {
    return switch (type) {
      case MSI -> pci.msi().thing().map(MsiCapability::size).orElse(0);
      case MSIX -> table().map(MessageTable::size).orElse(0);
      case INTX, ERR, REQ -> 0;
    };
  }

  @Override
  protected EnabledVectors take(IrqType type, int min, List<? extends Trigger> triggers) {
    MsiFunction msi = MsiFunction.of(function().toString(), table(type), host.msiDomain());
    return OwnVectors.enable(type, msi, group.vfio().host().interrupts(), min, triggers);
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

  /// {@return the MSI-X vectors, where both BARs that hold them are there and hold all of them}
  private Optional<MessageTable> table() {
    return msix.flatMap(m -> {
      Optional<HostBar> table = barOf(m.tableBar(), m.tableOffset() + m.tableBytes());
      Optional<HostBar> pending = barOf(m.pbaBar(), m.pbaOffset() + m.pbaBytes());
      return table.flatMap(t -> pending.map(p -> m.table(t.registers(), p.registers())));
    });
  }

  private Optional<HostBar> barOf(int index, long needed) {
    return host.bar(index).filter(b -> Long.compareUnsigned(b.bytes(), needed) >= 0);
  }

  @Override
  protected Optional<Source> fixed(IrqType type) {
    if (type != IrqType.MSIX) {
      return Optional.of(Source.rule("PCIe 6.0 7.7.1 Multiple Message Enable"));
    }
    return host.msiDomain().route().targets().stream()
            .anyMatch(t -> !t.controller().givesOneByOne())
        ? Optional.of(Source.rule("LoPAPR 1.1, 7.3.10.5.1 ibm,change-msi"))
        : Optional.empty();
  }

  @Override
  public void reset() {
    lock.lock();
    try {
      requireOpen();
      SavedHeader placed = SavedHeader.of(pci, host.config());
      host.functionReset().run();
      placed.restore();
      config.reset();
      bars.values().forEach(BarRegion::reset);
      if (vectors().orElse(null) instanceof OwnVectors enabled) {
        enabled.reapply();
      }
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
      disable();
      letGo = true;
      try {
        // A write that was let through before is over after this.
        config.reset();
        opened.restore();
      } catch (RuntimeException | Error e) {
        letGo = false;
        throw e;
      }
      leave();
      group.closed(this);
    } finally {
      lock.unlock();
    }
  }
}
