package dev.doorbell.qemu;

import dev.doorbell.bus.InterruptFiles;
import java.time.Duration;
import java.util.concurrent.locks.ReentrantLock;

/// The harts' side of their interrupt files on QEMU, whose CPUs stand still: of supervisor level by the registers `siselect`, `sireg` and `stopei` of its debugger interface, of machine
/// level by `miselect`, `mireg` and `mtopei`.
///
/// A change of bits is a read and a write here, and so is {@link InterruptFiles#claim}: a message that arrives between the two may be lost, or taken for another. Who
/// needs every message lets none arrive meanwhile.
/// **Threads**: safe.
final class QemuHarts implements AutoCloseable {
  private static final int IDENTITY_SHIFT = 16;
  private static final long IDENTITY = 0x7ff;

  private final int cpus;
  private final GdbStub stub;
  private final Files supervisor;
  private final Files machine;
  private final ReentrantLock lock = new ReentrantLock();
  private int selected = -1;

  QemuHarts(QemuProcess qemu, int cpus, Duration patience) {
    this.cpus = cpus;
    stub = GdbStub.connect(qemu, patience);
    boolean done = false;
    try {
      supervisor = new Files("siselect", "sireg", "stopei");
      machine = new Files("miselect", "mireg", "mtopei");
      done = true;
    } finally {
      if (!done) {
        stub.close();
      }
    }
  }

  /// {@return the files of supervisor level}
  InterruptFiles supervisor() {
    return supervisor;
  }

  /// {@return the files of machine level}
  InterruptFiles machine() {
    return machine;
  }

  @Override
  public void close() {
    stub.close();
  }

  /// Those of one level.
  private final class Files implements InterruptFiles {
    private final int select;
    private final int file;
    private final int top;

    Files(String select, String file, String top) {
      this.select = stub.register(select);
      this.file = stub.register(file);
      this.top = stub.register(top);
    }

    @Override
    public int cpus() {
      return cpus;
    }

    private void at(int cpu, int register) {
      if (cpu < 0 || cpu >= cpus) {
        throw new IllegalArgumentException("there is no hart %d of %d".formatted(cpu, cpus));
      }
      if (selected != cpu) {
        stub.select(cpu);
        selected = cpu;
      }
      stub.write(select, register);
    }

    @Override
    public long read(int cpu, int register) {
      lock.lock();
      try {
        at(cpu, register);
        return stub.read(file);
      } finally {
        lock.unlock();
      }
    }

    @Override
    public void write(int cpu, int register, long value) {
      lock.lock();
      try {
        at(cpu, register);
        stub.write(file, value);
      } finally {
        lock.unlock();
      }
    }

    @Override
    public void change(int cpu, int register, long bits, boolean on) {
      lock.lock();
      try {
        at(cpu, register);
        long before = stub.read(file);
        stub.write(file, on ? before | bits : before & ~bits);
      } finally {
        lock.unlock();
      }
    }

    @Override
    public int claim(int cpu) {
      lock.lock();
      try {
        at(cpu, 0);
        int identity = (int) (stub.read(top) >>> IDENTITY_SHIFT & IDENTITY);
        if (identity != NONE) {
          stub.write(top, 0);
        }
        return identity;
      } finally {
        lock.unlock();
      }
    }
  }
}
