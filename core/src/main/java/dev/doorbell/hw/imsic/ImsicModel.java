package dev.doorbell.hw.imsic;

import static dev.doorbell.hw.imsic.ImsicRegisters.*;

import dev.doorbell.bus.InterruptFiles;
import dev.doorbell.bus.MmioDevice;

/// The interrupt files of some harts: a write of an identity to a file's page makes it pending there, whoever writes. Other identities, and writes
/// elsewhere in the page, change nothing. Each hart has a file of supervisor level, which this is by itself, and one for each of its guests.
///
/// **Threads.** Any number; messages take no lock and allocate nothing.
///
/// **Source**: RISC-V AIA 1.0, 3.
public final class ImsicModel implements InterruptFiles {
  /// The most guests of a hart (GEILEN of RV64).
  public static final int MOST_GUESTS = 63;

  /// By guest; 0 is supervisor level.
  private final FileBank[] banks;

  /// Files of supervisor level alone.
  ///
  /// @param cpus how many harts
  /// @param identities of each file, 63 to 2047
  public ImsicModel(int cpus, int identities) {
    this(cpus, identities, 0);
  }

  /// @param cpus how many harts
  /// @param identities of each file, 63 to 2047
  /// @param guests of each hart, 0 to 63
  public ImsicModel(int cpus, int identities, int guests) {
    if (identities < LEAST_IDENTITIES || identities > MOST_IDENTITIES) {
      throw new IllegalArgumentException(
          "an interrupt file of %d identities; it has %d to %d"
              .formatted(identities, LEAST_IDENTITIES, MOST_IDENTITIES));
    }
    if (guests < 0 || guests > MOST_GUESTS) {
      throw new IllegalArgumentException(
          "a hart with files of %d guests; it has 0 to %d".formatted(guests, MOST_GUESTS));
    }
    banks = new FileBank[guests + 1];
    for (int i = 0; i < banks.length; i++) {
      banks[i] = new FileBank(cpus, identities);
    }
  }

  /// {@return a hart's own page, for the bus}
  public MmioDevice page(int cpu) {
    return banks[0].page(cpu);
  }

  /// {@return the page of one of a hart's guests, for the bus}
  ///
  /// @param guest 1 to the number of guests
  public MmioDevice page(int cpu, int guest) {
    return banks[guest].page(cpu);
  }

  /// {@return the harts' side of the files of guests of one number, which a hart selects by `hstatus.VGEIN`}
  ///
  /// @param number 1 to the number of guests
  public InterruptFiles guest(int number) {
    return banks[number];
  }

  @Override
  public int cpus() {
    return banks[0].cpus();
  }

  @Override
  public long read(int cpu, int select) {
    return banks[0].read(cpu, select);
  }

  @Override
  public void write(int cpu, int select, long value) {
    banks[0].write(cpu, select, value);
  }

  @Override
  public void change(int cpu, int select, long bits, boolean on) {
    banks[0].change(cpu, select, bits, on);
  }

  /// {@return whether a hart has an interrupt to take, and is told so}
  public boolean interrupts(int cpu) {
    return banks[0].interrupts(cpu);
  }

  @Override
  public int claim(int cpu) {
    return banks[0].claim(cpu);
  }
}
