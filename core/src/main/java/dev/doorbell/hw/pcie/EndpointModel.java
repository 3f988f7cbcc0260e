package dev.doorbell.hw.pcie;

import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.BusRead;
import dev.doorbell.bus.DmaPort;
import dev.doorbell.pci.ConfigHeaderLayout;
import dev.doorbell.pci.ConfigSpace;
import dev.doorbell.pci.Firing;
import dev.doorbell.pci.MessageTable;
import dev.doorbell.pci.PcieLayout;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;

/// An endpoint: configuration space with a real device's writable bits, BARs, MSI and MSI-X, DMA and messages upwards, function level reset.
///
/// Made from a specification or from a capture's bytes. Its wired interrupt does not exist. Safe for use from many threads; nothing it sends
/// upwards leaves under its lock.
public final class EndpointModel implements FunctionModel {
  private final ReentrantLock lock = new ReentrantLock();
  private final ConfigStorage storage;
  private final ConfigSpace config;
  private final List<BarModel> bars;
  private final EndpointRegisters registers;
  private final Optional<MsiModel> msi;
  private final Optional<MsixModel> msix;
  // The same two by their common type, made once: firing allocates nothing.
  private final Optional<MessageModel> msiMessages;
  private final Optional<MessageModel> msixMessages;
  private final ReadyMessages messages;
  private final int expressAt;
  private final boolean virtual;
  private Optional<BusModel> bus = Optional.empty();
  private DmaPort up = DisconnectedPort.INSTANCE;
  private volatile MessageWays ways = new MessageWays(new AtomicLong());
  private int position;
  private volatile boolean master;
  private volatile boolean memory;

  EndpointModel(
      ConfigStorage storage,
      List<BarModel> bars,
      EndpointRegisters registers,
      Capable capable,
      boolean virtual) {
    this.storage = storage;
    this.config = new LockedConfig(storage, lock, this::writeConfig);
    this.bars = List.copyOf(bars);
    this.registers = registers;
    this.msi =
        capable.msi() == 0 ? Optional.empty() : Optional.of(new MsiModel(storage, capable.msi()));
    this.msix =
        capable.msix() == 0
            ? Optional.empty()
            : Optional.of(new MsixModel(storage, capable.msix()));
    this.msiMessages = msi.map(m -> m);
    this.msixMessages = msix.map(m -> m);
    this.messages = new ReadyMessages(msix.map(MsixModel::vectors).orElse(0));
    this.expressAt = capable.express();
    this.virtual = virtual;
    this.memory = virtual;
  }

  /// Offsets of the capabilities that the model acts on; 0 for none.
  record Capable(int express, int msi, int msix) {}

  /// {@return an endpoint made for this model, in the state after reset}
  public static EndpointModel create(EndpointSpec spec, EndpointRegisters registers) {
    return EndpointBuild.create(spec, registers);
  }

  /// {@return an endpoint with the configuration space of a capture, in the state after reset}
  ///
  /// @param barBytes size of each BAR, 0 for none, up to six; a capture's configuration space does not tell them
  /// @throws IllegalArgumentException when it is no type 0 header of at least 64 bytes, or a size is not a power of two
  public static EndpointModel ofImage(
      ConfigSpace image, long[] barBytes, EndpointRegisters registers) {
    return EndpointBuild.ofImage(image, barBytes, registers);
  }

  /// {@return a VF with the configuration space of a capture}
  ///
  /// @param barBytes size of each BAR, 0 for none
  /// @param barAddresses where its PF's SR-IOV capability has placed each of them; they always decode
  public static EndpointModel virtualOfImage(
      ConfigSpace image, long[] barBytes, long[] barAddresses) {
    return EndpointBuild.virtualOfImage(image, barBytes, barAddresses);
  }

  /// {@return bus, device and function number at the moment}
  public int requesterId() {
    return bus.isPresent() ? bus.get().requesterId(position) : 0;
  }

  /// Puts a BAR at an address, as an enumerator does.
  ///
  /// @throws IllegalArgumentException when no BAR starts there, or the address does not fit it
  public void placeBar(int index, long address) {
    BarModel bar =
        bars.stream()
            .filter(b -> b.index() == index)
            .findFirst()
            .orElseThrow(() -> new IllegalArgumentException("no BAR starts at register " + index));
    if ((address & (bar.bytes() - 1)) != 0 || !bar.wide() && address >>> Integer.SIZE != 0) {
      throw new IllegalArgumentException(
          "BAR %d of 0x%x bytes cannot lie at 0x%x".formatted(index, bar.bytes(), address));
    }
    config.write((int) ConfigHeaderLayout.BAR.offset(index), (int) address, Integer.BYTES);
    if (bar.wide()) {
      config.write(
          (int) ConfigHeaderLayout.BAR.offset(index + 1),
          (int) (address >>> Integer.SIZE),
          Integer.BYTES);
    }
  }

  /// {@return the BARs that it has, by their first register}
  public List<BarModel> bars() {
    return bars;
  }

  /// Interrupts. A vector that may be sent leaves without a lock.
  ///
  /// @throws IndexOutOfBoundsException when the function has no such vector
  public Firing fire(int vector) {
    long begun = messages.version();
    long address = messages.address(vector);
    long datum = messages.datum(vector, begun);
    if (!ReadyMessages.isReady(datum)) {
      lock.lock();
      try {
        Firing held = held(vector);
        if (held != Firing.SENT) {
          return held;
        }
        address = messages.address(vector);
        datum = messages.datum(vector, messages.version());
      } finally {
        lock.unlock();
      }
    }
    return send(address, (int) datum) == BusOutcome.OK ? Firing.SENT : Firing.LOST;
  }

  // What becomes of a vector that fires: SENT when its message may leave. Under the lock.
  private Firing held(int vector) {
    Optional<MessageModel> on = active();
    if (on.isEmpty()) {
      return Firing.OFF;
    }
    MessageModel m = on.get();
    if (vector < 0 || vector >= m.vectors()) {
      if (m.kind() == MessageTable.Kind.MSI && vector >= 0) {
        return Firing.OFF;
      }
      throw new IndexOutOfBoundsException(
          "the function has %d vectors, asked for %d".formatted(m.vectors(), vector));
    }
    if (m.isMasked(vector)) {
      m.pending().set(vector);
      publish();
      return Firing.PENDING;
    }
    return master ? Firing.SENT : Firing.OFF;
  }

  private BusOutcome send(long address, int data) {
    MessageWays.Way way = ways.find(address);
    if (way == null && bus.isPresent()) {
      way = ways.look(bus.get(), this, position, address);
    }
    long value = Integer.toUnsignedLong(data);
    return way == null
        ? up.write(requesterId(), address, value, Integer.BYTES)
        : way.out().write(way.requesterId(), address, value, Integer.BYTES);
  }

  /// Writes memory by DMA. Dropped while the function may not master the bus.
  public BusOutcome dmaWrite(long address, long value, int bytes) {
    return master ? up.write(requesterId(), address, value, bytes) : BusOutcome.ERROR;
  }

  /// Reads memory by DMA.
  public BusRead dmaRead(long address, int bytes) {
    return master ? up.read(requesterId(), address, bytes) : BusRead.error(bytes);
  }

  /// Writes under another requester id, as a broken or hostile device does. Bus master enable does not stop it.
  public BusOutcome forgedWrite(int requesterId, long address, long value, int bytes) {
    return up.write(requesterId, address, value, bytes);
  }

  @Override
  public ConfigSpace config() {
    return config;
  }

  @Override
  public boolean decodes(long address) {
    if (memory) {
      for (BarModel b : bars) {
        if (b.holds(address)) {
          return true;
        }
      }
    }
    return false;
  }

  @Override
  public BusOutcome write(long address, long value, int bytes) {
    Optional<BarModel> bar = barAt(address);
    if (bar.isEmpty() || !memory) {
      return BusOutcome.ERROR;
    }
    int index = bar.get().index();
    long offset = address - bar.get().address();
    if (msix.isPresent() && msix.get().holds(index, offset)) {
      return writeMsix(msix.get(), index, offset, value, bytes);
    }
    registers.write(this, index, offset, value, bytes);
    return BusOutcome.OK;
  }

  @Override
  public BusRead read(long address, int bytes) {
    Optional<BarModel> bar = barAt(address);
    if (bar.isEmpty() || !memory) {
      return BusRead.error(bytes);
    }
    int index = bar.get().index();
    long offset = address - bar.get().address();
    if (msix.isPresent() && msix.get().holds(index, offset)) {
      return readMsix(msix.get(), index, offset, bytes);
    }
    return BusRead.ok(registers.read(this, index, offset, bytes));
  }

  @Override
  public void reset() {
    lock.lock();
    try {
      storage.reset();
      msi.ifPresent(MessageModel::reset);
      msix.ifPresent(MessageModel::reset);
      decode();
    } finally {
      lock.unlock();
    }
    registers.reset();
  }

  @Override
  public void attach(BusModel to, int at) {
    if (bus.isPresent()) {
      throw new IllegalStateException("the endpoint is on a bus already");
    }
    bus = Optional.of(to);
    position = at;
    up = to.port(this);
    join(to.changes());
  }

  @Override
  public void join(AtomicLong hierarchy) {
    ways = new MessageWays(hierarchy);
  }

  private void writeConfig(int offset, int value, int bytes) {
    boolean flr = false;
    lock.lock();
    try {
      storage.write(offset, value, bytes);
      decode();
      if (expressAt != 0) {
        long control = expressAt + PcieLayout.DEVICE_CONTROL.offset();
        long shift = Byte.SIZE * (control - offset);
        boolean covers = offset <= control + 1 && offset + bytes > control + 1;
        flr =
            covers
                && PcieLayout.INITIATE_FLR.isSet(
                    shift >= 0 ? value >>> shift : (long) value << -shift)
                && canFlr();
      }
    } finally {
      lock.unlock();
    }
    if (flr) {
      reset();
    } else {
      sendUnmasked();
    }
  }

  private boolean canFlr() {
    return PcieLayout.FLR_CAPABLE.isSet(storage.get(expressAt, PcieLayout.DEVICE_CAPABILITIES));
  }

  private BusOutcome writeMsix(MsixModel m, int bar, long offset, long value, int bytes) {
    lock.lock();
    try {
      if (!m.write(bar, offset, value, bytes)) {
        return BusOutcome.ERROR;
      }
      int vector = m.vectorAt(bar, offset);
      if (vector >= 0) {
        messages.refresh(sending(), vector);
      }
    } finally {
      lock.unlock();
    }
    sendUnmasked();
    return BusOutcome.OK;
  }

  private BusRead readMsix(MsixModel m, int bar, long offset, int bytes) {
    lock.lock();
    try {
      return BusRead.ok(m.read(bar, offset, bytes));
    } finally {
      lock.unlock();
    }
  }

  /// Sends, one after another, what is pending and no longer held back. Each leaves outside the lock.
  private void sendUnmasked() {
    while (true) {
      long address;
      int data;
      lock.lock();
      try {
        int vector = master ? nextUnmasked() : -1;
        if (vector < 0) {
          return;
        }
        MessageModel m = active().orElseThrow();
        m.pending().clear(vector);
        publish();
        address = m.address(vector);
        data = m.data(vector);
      } finally {
        lock.unlock();
      }
      send(address, data);
    }
  }

  private int nextUnmasked() {
    Optional<MessageModel> on = active();
    if (on.isEmpty()) {
      return -1;
    }
    MessageModel m = on.get();
    int v = m.pending().nextSetBit(0);
    while (v >= 0 && (v >= m.vectors() || m.isMasked(v))) {
      v = m.pending().nextSetBit(v + 1);
    }
    return v;
  }

  private Optional<MessageModel> active() {
    if (msix.isPresent() && msix.get().isOn()) {
      return msixMessages;
    }
    return msi.isPresent() && msi.get().isOn() ? msiMessages : Optional.empty();
  }

  private Optional<MessageModel> sending() {
    return master ? active() : Optional.empty();
  }

  private void publish() {
    msi.ifPresent(MsiModel::publish);
  }

  private void decode() {
    long command = storage.get(0, ConfigHeaderLayout.COMMAND);
    master = ConfigHeaderLayout.BUS_MASTER_ENABLE.isSet(command);
    boolean before = memory;
    memory = virtual || ConfigHeaderLayout.MEMORY_SPACE_ENABLE.isSet(command);
    boolean moved = memory != before;
    for (BarModel b : bars) {
      moved |= !virtual && b.follow(storage);
    }
    ways.changedIf(moved);
    messages.refresh(sending());
  }

  private Optional<BarModel> barAt(long address) {
    for (BarModel b : bars) {
      if (b.holds(address)) {
        return Optional.of(b);
      }
    }
    return Optional.empty();
  }
}
