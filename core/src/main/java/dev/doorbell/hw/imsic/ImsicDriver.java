package dev.doorbell.hw.imsic;

import static dev.doorbell.hw.imsic.ImsicRegisters.*;

import dev.doorbell.bus.InterruptFiles;
import dev.doorbell.irq.ArrivedInterrupts;
import dev.doorbell.irq.InterruptSink;
import dev.doorbell.irq.MsiController;
import dev.doorbell.irq.MsiSource;
import dev.doorbell.irq.VectorBlock;
import dev.doorbell.irq.VectorsExhausted;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// Shares out the identities of the harts' interrupt files. Each file is a doorbell of its own: a vector's address and datum change with its CPU.
///
/// A file looks neither at the datum's meaning nor at who writes, so this controller is never isolated.
///
/// **Threads.** Safe for use from many. One lock for all files. Sinks are called without it.
///
/// **Source**: RISC-V AIA 1.0, 3.
public final class ImsicDriver implements MsiController {
  final ReentrantLock lock = new ReentrantLock();
  final IdentityLedger ledger;
  private final ImsicHardware hardware;
  private final ArrivedInterrupts arrived = new ArrivedInterrupts();

  /// By place: whose vector is there, and its number.
  private final @Nullable ImsicVectorBlock[] owners;

  private final int[] numbers;

  /// By number: whether it is given out.
  private final boolean[] given;

  private int nextNumber;

  private ImsicDriver(ImsicHardware hardware) {
    this.hardware = hardware;
    this.ledger = new IdentityLedger(hardware.doorbells().size(), hardware.identities());
    this.owners = new ImsicVectorBlock[ledger.places()];
    this.numbers = new int[ledger.places()];
    this.given = new boolean[ledger.places()];
  }

  /// {@return the driver of interrupt files that it has cleared and turned on}
  public static ImsicDriver open(ImsicHardware hardware) {
    ImsicDriver d = new ImsicDriver(hardware);
    for (int cpu = 0; cpu < d.ledger.cpus(); cpu++) {
      for (int at = 0; at <= hardware.identities(); at += Long.SIZE) {
        d.files().write(cpu, select(EIE0, at), 0);
        d.files().write(cpu, select(EIP0, at), 0);
      }
      d.files().write(cpu, EITHRESHOLD, 0);
      d.files().write(cpu, EIDELIVERY, 1);
    }
    return d;
  }

  @Override
  public String id() {
    return hardware.id();
  }

  @Override
  public boolean isolated() {
    return false;
  }

  @Override
  public int vectorsFree() {
    lock.lock();
    try {
      return ledger.free();
    } finally {
      lock.unlock();
    }
  }

  /// Writes nothing to hardware. Vectors are spread over the CPUs; multi-message MSI has one address, and so one CPU.
  @Override
  public VectorBlock allocate(MsiSource source, int count, boolean contiguous) {
    if (count <= 0 || (contiguous && Integer.bitCount(count) != 1)) {
      throw new IllegalArgumentException(
          "%s asks %s for %d vectors (contiguous: %b)"
              .formatted(source.name(), id(), count, contiguous));
    }
    lock.lock();
    try {
      int[] places = contiguous ? run(source, count) : spread(source, count);
      return new ImsicVectorBlock(this, source, places, contiguous);
    } finally {
      lock.unlock();
    }
  }

  private int[] run(MsiSource source, int count) {
    int first = ledger.takeRun(count);
    if (first == IdentityLedger.NONE) {
      throw new VectorsExhausted(source, id(), count, ledger.largestRun(), hardware.source());
    }
    int[] places = new int[count];
    for (int i = 0; i < count; i++) {
      places[i] = first + i;
    }
    return places;
  }

  private int[] spread(MsiSource source, int count) {
    int free = ledger.free();
    if (free < count) {
      throw new VectorsExhausted(source, id(), count, free, hardware.source());
    }
    int[] places = new int[count];
    for (int i = 0; i < count; i++) {
      places[i] = ledger.takeNear(i % ledger.cpus());
    }
    return places;
  }

  @Override
  public int collect(InterruptSink sink) {
    ArrivedInterrupts.Round round = arrived.begin();
    lock.lock();
    try {
      for (int cpu = 0; cpu < ledger.cpus(); cpu++) {
        for (int id = files().claim(cpu); id != InterruptFiles.NONE; id = files().claim(cpu)) {
          int place = ledger.place(cpu, id);
          if (id <= hardware.identities() && owners[place] != null) {
            round.arrived(numbers[place], cpu);
          }
        }
      }
    } finally {
      lock.unlock();
    }
    return round.deliver(sink);
  }

  InterruptFiles files() {
    return hardware.files();
  }

  ImsicHardware hardware() {
    return hardware;
  }

  long doorbell(int place) {
    return hardware.doorbells().get(ledger.cpu(place));
  }

  /// {@return a number by which a vector is told whatever its place} There are as many as places. The caller holds the lock.
  int takeNumber() {
    while (given[nextNumber]) {
      nextNumber = (nextNumber + 1) % given.length;
    }
    given[nextNumber] = true;
    return nextNumber;
  }

  void giveBackNumber(int number) {
    given[number] = false;
  }

  /// Says whose interrupt a place raises.
  void own(int place, ImsicVectorBlock block, int number) {
    owners[place] = block;
    numbers[place] = number;
  }

  /// Gives a place back, off and not pending.
  void release(int place) {
    enable(place, false);
    setPending(place, false);
    owners[place] = null;
    ledger.giveBack(place);
  }

  void enable(int place, boolean on) {
    change(EIE0, place, on);
  }

  void setPending(int place, boolean on) {
    change(EIP0, place, on);
  }

  boolean isPending(int place) {
    int identity = ledger.identity(place);
    return (files().read(ledger.cpu(place), select(EIP0, identity)) & bit(identity)) != 0;
  }

  /// Single bits, so that a message that arrives meanwhile for another identity is not lost.
  private void change(int first, int place, boolean on) {
    int identity = ledger.identity(place);
    files().change(ledger.cpu(place), select(first, identity), bit(identity), on);
  }
}
