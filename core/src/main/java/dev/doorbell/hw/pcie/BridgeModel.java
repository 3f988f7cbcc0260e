package dev.doorbell.hw.pcie;

import dev.doorbell.address.AddressRange;
import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.BusRead;
import dev.doorbell.pci.BridgeHeaderLayout;
import dev.doorbell.pci.BridgeRegisters;
import dev.doorbell.pci.ConfigAccess;
import dev.doorbell.pci.ConfigHeaderLayout;
import dev.doorbell.pci.ConfigSpace;
import dev.doorbell.pci.PortType;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// A root port, a port of a switch, a PCI Express to PCI bridge, or a conventional PCI bridge: a type 1 function with a bus below.
///
/// It decodes its bus numbers and its two memory windows as software programmed them, checks requests from below with ACS Source
/// Validation, and redirects peer requests with ACS P2P Request Redirect. Safe for use from many threads.
///
/// **Source**: PCI Express Base 6.0, 7.5.1.3, 6.12; PCI Express to PCI/PCI-X Bridge 1.0, 2.3.
public final class BridgeModel implements FunctionModel {
  private final ReentrantLock lock = new ReentrantLock();
  private final ConfigStorage storage;
  private final ConfigSpace config;
  private final Optional<PortType> type;
  private final boolean link;
  private boolean severalDevices;
  private final boolean upstreamPort;
  private final int expressAt;
  private final int acsAt;
  private final BusModel below;
  private final LongAdder blocked = new LongAdder();
  private Optional<BusModel> bus = Optional.empty();
  private int position;

  // What the hot path reads, kept whenever software writes the registers.
  private volatile BridgeDecode decode;

  /// @param expressAt offset of the PCI Express capability, 0 for none
  /// @param acsAt offset of the ACS capability, 0 for none
  BridgeModel(ConfigStorage storage, Optional<PortType> type, int expressAt, int acsAt) {
    this.storage = storage;
    this.type = type;
    this.link = type.filter(PortType::endsInLink).isPresent();
    this.upstreamPort = type.filter(t -> t == PortType.UPSTREAM_PORT).isPresent();
    this.expressAt = expressAt;
    this.acsAt = acsAt;
    this.config = new LockedConfig(storage, lock, this::writeConfig);
    this.below = new BusModel(new FromBelow());
    this.decode = decodeNow();
  }

  /// {@return a port or bridge made for this model}
  ///
  /// @param type what it is; empty for a conventional PCI bridge
  /// @param acs whether it has the ACS capability, all services of it
  public static BridgeModel create(Optional<PortType> type, int vendor, int device, boolean acs) {
    return BridgeBuild.create(type, vendor, device, acs);
  }

  /// {@return a bridge with the configuration space of a capture. Bus numbers, windows and ACS control start as captured}
  ///
  /// @throws IllegalArgumentException when it is no type 1 header of at least 64 bytes
  public static BridgeModel ofImage(ConfigSpace image) {
    return BridgeBuild.ofImage(image);
  }

  /// {@return the bus below}
  public BusModel below() {
    return below;
  }

  /// {@return what it is; empty for a conventional PCI bridge}
  public Optional<PortType> type() {
    return type;
  }

  /// {@return requests from below that it did not let pass: source validation, bus master off, or no way for the address}
  public long blocked() {
    return blocked.sum();
  }

  /// Programs its bus numbers, as an enumerator does.
  public void setBusNumbers(BridgeRegisters numbers) {
    config.write((int) BridgeHeaderLayout.PRIMARY_BUS.offset(), numbers.primary(), 1);
    config.write((int) BridgeHeaderLayout.SECONDARY_BUS.offset(), numbers.secondary(), 1);
    config.write((int) BridgeHeaderLayout.SUBORDINATE_BUS.offset(), numbers.subordinate(), 1);
  }

  /// Opens its memory window, closes the prefetchable one, and lets requests pass both ways, as an enumerator does.
  ///
  /// @param memory below 4 GiB, whole MiBs
  public void openWindow(AddressRange memory) {
    moveMemoryWindow(memory);
    ConfigAccess header = ConfigAccess.header(config());
    header.set(
        BridgeHeaderLayout.PREFETCHABLE_BASE,
        BridgeHeaderLayout.PREFETCHABLE_ADDRESS,
        BridgeHeaderLayout.PREFETCHABLE_ADDRESS.max());
    header.set(BridgeHeaderLayout.PREFETCHABLE_LIMIT, BridgeHeaderLayout.PREFETCHABLE_ADDRESS, 0);
    header.write(BridgeHeaderLayout.PREFETCHABLE_BASE_UPPER, 0xffff_ffffL);
    header.write(BridgeHeaderLayout.PREFETCHABLE_LIMIT_UPPER, 0);
    letPass();
  }

  /// Gives its memory window another place; the prefetchable one stays.
  ///
  /// @param memory below 4 GiB, whole MiBs
  public void moveMemoryWindow(AddressRange memory) {
    ConfigAccess header = ConfigAccess.header(config());
    header.set(
        BridgeHeaderLayout.MEMORY_BASE,
        BridgeHeaderLayout.MEMORY_ADDRESS,
        memory.start() >>> BridgeDecode.MEMORY_UNIT_BITS);
    header.set(
        BridgeHeaderLayout.MEMORY_LIMIT,
        BridgeHeaderLayout.MEMORY_ADDRESS,
        memory.last() >>> BridgeDecode.MEMORY_UNIT_BITS);
  }

  /// Lets requests pass both ways, as an operating system does before it enables a function below.
  public void letPass() {
    ConfigAccess header = ConfigAccess.header(config());
    header.set(ConfigHeaderLayout.COMMAND, ConfigHeaderLayout.MEMORY_SPACE_ENABLE, 1);
    header.set(ConfigHeaderLayout.COMMAND, ConfigHeaderLayout.BUS_MASTER_ENABLE, 1);
  }

  /// Lets every device number answer below, as some hardware does that is no PCI Express inside. To be called before the machine runs.
  public void takeSeveralDevices() {
    severalDevices = true;
  }

  /// {@return its memory window as programmed, whether or not requests pass; empty when it is closed}
  public Optional<AddressRange> memoryWindow() {
    BridgeDecode d = decode;
    return BridgeDecode.open(d.start(), d.last());
  }

  /// {@return its prefetchable window as programmed, whether or not requests pass; empty when it is closed}
  public Optional<AddressRange> prefetchableWindow() {
    BridgeDecode d = decode;
    return BridgeDecode.open(d.prefetchableStart(), d.prefetchableLast());
  }

  @Override
  public ConfigSpace config() {
    return config;
  }

  private void writeConfig(int offset, int value, int bytes) {
    boolean resetBelow;
    lock.lock();
    try {
      boolean before = secondaryReset();
      storage.write(offset, value, bytes);
      refresh();
      resetBelow = !before && secondaryReset();
    } finally {
      lock.unlock();
    }
    if (resetBelow) {
      below.resetAll();
    }
  }

  private boolean secondaryReset() {
    return BridgeHeaderLayout.SECONDARY_BUS_RESET.isSet(
        storage.get(0, BridgeHeaderLayout.BRIDGE_CONTROL));
  }

  @Override
  public boolean decodes(long address) {
    return decode.holds(address);
  }

  @Override
  public BusOutcome write(long address, long value, int bytes) {
    return below.writeDown(address, value, bytes);
  }

  @Override
  public BusRead read(long address, int bytes) {
    return below.readDown(address, bytes);
  }

  @Override
  public void reset() {
    lock.lock();
    try {
      storage.reset();
      refresh();
    } finally {
      lock.unlock();
    }
    below.resetAll();
  }

  @Override
  public void attach(BusModel to, int at) {
    if (bus.isPresent()) {
      throw new IllegalStateException("the bridge is on a bus already");
    }
    bus = Optional.of(to);
    position = at;
    join(to.changes());
  }

  @Override
  public void join(AtomicLong hierarchy) {
    below.join(hierarchy);
  }

  boolean leadsTo(int busNumber) {
    BridgeDecode d = decode;
    return d.secondary() != 0 && busNumber >= d.secondary() && busNumber <= d.subordinate();
  }

  /// {@return whether only device 0 answers below: a link has one device, unless ARI numbers pass}
  boolean onlyDevice0() {
    return link && !severalDevices && !decode.ari();
  }

  /// {@return whether it sends peers' requests upwards instead of across}
  boolean redirects() {
    return decode.redirect();
  }

  private void refresh() {
    BridgeDecode now = decodeNow();
    if (!now.equals(decode)) {
      decode = now;
      below.changed();
    }
  }

  private BridgeDecode decodeNow() {
    return BridgeDecode.of(storage, expressAt, acsAt);
  }

  private final class FromBelow implements BusModel.Above {
    private static final int BLOCKED = -1;

    @Override
    public int busNumber() {
      return decode.secondary();
    }

    @Override
    public boolean peersDecode(FunctionModel from, long address) {
      if (link) {
        return false;
      }
      // Inside a switch the port that a request came in by decides; a conventional bus shows it to
      // everyone.
      return !upstreamPort || !(from instanceof BridgeModel port && port.redirects());
    }

    @Override
    public MessageWays.@Nullable Way wayUp(int requesterId, long address, long state) {
      BridgeDecode d = decode;
      return blocks(d, requesterId, address) || bus.isEmpty()
          ? null
          : bus.get().wayUp(BridgeModel.this, upper(d, requesterId), address, state);
    }

    @Override
    public BusOutcome writeUp(int requesterId, long address, long value, int bytes) {
      int upper = pass(requesterId, address);
      return upper == BLOCKED || bus.isEmpty()
          ? BusOutcome.ERROR
          : bus.get().writeFrom(BridgeModel.this, upper, address, value, bytes);
    }

    @Override
    public BusRead readUp(int requesterId, long address, int bytes) {
      int upper = pass(requesterId, address);
      return upper == BLOCKED || bus.isEmpty()
          ? BusRead.error(bytes)
          : bus.get().readFrom(BridgeModel.this, upper, address, bytes);
    }

    /// The requester id with which a request goes on, or BLOCKED.
    private int pass(int requesterId, long address) {
      BridgeDecode d = decode;
      if (blocks(d, requesterId, address)) {
        blocked.increment();
        return BLOCKED;
      }
      return upper(d, requesterId);
    }

    private boolean blocks(BridgeDecode d, int requesterId, long address) {
      int from = requesterId >>> Byte.SIZE;
      boolean foreign =
          link && d.sourceValidation() && (from < d.secondary() || from > d.subordinate());
      // What lies below is not above: such a request goes up only for ACS Upstream Forwarding, and
      // through an upstream port, which passes on what a downstream port redirected.
      boolean own = d.holds(address) && !(link && d.upstreamForwarding()) && !upstreamPort;
      return !d.master() || foreign || own;
    }

    // Above either of these lies a conventional bus, or a root complex that sees the bridge alone.
    private int upper(BridgeDecode d, int requesterId) {
      if (type.isEmpty() || type.get() == PortType.PCI_TO_PCIE_BRIDGE) {
        return bus.map(b -> b.requesterId(position)).orElse(requesterId);
      }
      return type.get() == PortType.PCIE_TO_PCI_BRIDGE ? d.secondary() << Byte.SIZE : requesterId;
    }
  }
}
