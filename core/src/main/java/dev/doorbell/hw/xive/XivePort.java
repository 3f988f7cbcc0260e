package dev.doorbell.hw.xive;

import dev.doorbell.bits.Field;
import dev.doorbell.bits.Register;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.explain.Source;
import dev.doorbell.irq.MsiControllerFailed;
import dev.doorbell.irq.XiveEventLayout;
import java.util.function.LongSupplier;

/// The registers of a controller as its driver uses them: where tables are, which threads take part, their contexts, and what the controller has in its
/// caches. Callers synchronise.
sealed interface XivePort {
  /// Reads of a register that are waited for.
  int POLLS = 1_000_000;

  static XivePort of(XiveHardware hw) {
    return switch (hw.generation()) {
      case FIRST -> new First(hw.id(), hw.controller());
      case SECOND -> new Second(hw.id(), hw.controller());
    };
  }

  /// Waits until a controller has done what it was asked.
  ///
  /// @param busy the field that it clears then
  private static void await(String id, Register r, Field busy, LongSupplier read) {
    long last = 0;
    for (int i = 0; i < POLLS; i++) {
      last = read.getAsLong();
      if (!busy.isSet(last)) {
        return;
      }
      Thread.onSpinWait();
    }
    throw new MsiControllerFailed(
        id,
        "did not forget an assignment: %s reads 0x%x after %d polls"
            .formatted(r.name(), last, POLLS),
        Source.rule(r.name()));
  }

  /// {@return the offset that sources store their events to}
  long notifyOffset();

  /// Makes ready what comes before tables.
  void start();

  void table(int table, int block, long vsd);

  void enable(int thread);

  /// {@return what a thread's context reads as}
  long read(int thread, Register r);

  void write(int thread, Register r, long value);

  /// Has the controller forget a source's assignment, and returns when no event goes by the former one.
  ///
  /// @throws MsiControllerFailed when it does not say so in {@link #POLLS} reads
  void forget(int number);

  /// POWER9's: one context after another is seen in one page.
  record First(String id, RegisterBus bus) implements XivePort {
    @Override
    public long notifyOffset() {
      return XiveRegisters.NOTIFY;
    }

    @Override
    public void start() {}

    /// Both halves of the controller have the table, as far as it is one for both.
    @Override
    public void table(int table, int block, long vsd) {
      long select = XiveRegisters.VST_SELECT.place(table) | XiveRegisters.VST_BLOCK.place(block);
      bus.write64(XiveRegisters.VC_VSD_ADDR.offset(), select);
      bus.write64(XiveRegisters.VC_VSD_DATA.offset(), vsd);
      bus.write64(XiveRegisters.PC_VSD_ADDR.offset(), select);
      bus.write64(XiveRegisters.PC_VSD_DATA.offset(), vsd);
    }

    @Override
    public void enable(int thread) {
      Register set =
          thread < XiveRegisters.THREADS_PER_REGISTER
              ? XiveRegisters.EN0_SET
              : XiveRegisters.EN1_SET;
      bus.write64(
          set.offset(), XiveRegisters.threadBit(thread % XiveRegisters.THREADS_PER_REGISTER));
    }

    private void select(int thread) {
      bus.write64(
          XiveRegisters.INDIR0.offset(),
          XiveRegisters.INDIR_VALID.place(1) | XiveRegisters.INDIR_THRDID.place(thread));
    }

    @Override
    public long read(int thread, Register r) {
      select(thread);
      return bus.read(XiveRegisters.INDIRECT + r.offset(), r.bytes());
    }

    @Override
    public void write(int thread, Register r, long value) {
      select(thread);
      bus.write(XiveRegisters.INDIRECT + r.offset(), value, r.bytes());
    }

    @Override
    public void forget(int number) {
      bus.write64(
          XiveRegisters.IVC_MASK.offset(),
          XiveRegisters.SCRUB_BLOCK.mask() | XiveRegisters.SCRUB_OFFSET.mask());
      bus.write64(
          XiveRegisters.IVC_SCRUB.offset(),
          XiveRegisters.SCRUB_VALID.place(1)
              | XiveRegisters.SCRUB_INVAL.place(1)
              | XiveRegisters.SCRUB_BLOCK.place(XiveEventLayout.NUMBER_BLOCK.get(number))
              | XiveRegisters.SCRUB_OFFSET.place(XiveEventLayout.NUMBER_INDEX.get(number)));
      await(
          id,
          XiveRegisters.IVC_SCRUB,
          XiveRegisters.SCRUB_VALID,
          () -> bus.read64(XiveRegisters.IVC_SCRUB.offset()));
    }
  }

  /// POWER10's: each context has a page.
  record Second(String id, RegisterBus bus) implements XivePort {
    private void put(int page, Register r, long value) {
      bus.write64(Xive2Registers.at(page, r), value);
    }

    private long get(int page, Register r) {
      return bus.read64(Xive2Registers.at(page, r));
    }

    @Override
    public long notifyOffset() {
      return Xive2Registers.NOTIFY;
    }

    /// Targets of threads have indices of 8 bits, the lower 7 of them the thread's.
    @Override
    public void start() {
      long before = get(Xive2Registers.CQ_PAGE, Xive2Registers.CFG);
      put(
          Xive2Registers.CQ_PAGE,
          Xive2Registers.CFG,
          Xive2Registers.HYP_HARD_RANGE.with(Xive2Registers.GEN1_TIMA_OS.with(before, 0), 0));
    }

    /// The presenting half has no table of assignments.
    @Override
    public void table(int table, int block, long vsd) {
      long select =
          Xive2Registers.VST_SELECT.place(table) | Xive2Registers.VST_ADDRESS.place(block);
      put(Xive2Registers.VC_PAGE, Xive2Registers.VC_VSD_ADDR, select);
      put(Xive2Registers.VC_PAGE, Xive2Registers.VC_VSD_DATA, vsd);
      if (table != VsdLayout.EAT2) {
        put(Xive2Registers.PC_PAGE, Xive2Registers.PC_VSD_ADDR, select);
        put(Xive2Registers.PC_PAGE, Xive2Registers.PC_VSD_DATA, vsd);
      }
    }

    @Override
    public void enable(int thread) {
      Register set =
          thread < Xive2Registers.THREADS_PER_REGISTER
              ? Xive2Registers.EN0_SET
              : Xive2Registers.EN1_SET;
      put(Xive2Registers.TCTXT_PAGE, set, Xive2Registers.threadBit(thread));
    }

    private static long context(int thread, Register r) {
      return Xive2Registers.CONTEXTS + thread * Xive2Registers.PAGE + r.offset();
    }

    @Override
    public long read(int thread, Register r) {
      return bus.read(context(thread, r), r.bytes());
    }

    @Override
    public void write(int thread, Register r, long value) {
      bus.write(context(thread, r), value, r.bytes());
    }

    @Override
    public void forget(int number) {
      put(
          Xive2Registers.VC_PAGE,
          Xive2Registers.EASC_POLL,
          Xive2Registers.POLL_BLOCK.place(XiveEventLayout.NUMBER_BLOCK.get(number))
              | Xive2Registers.POLL_OFFSET.place(XiveEventLayout.NUMBER_INDEX.get(number))
              | Xive2Registers.POLL_BLOCK_MASK.mask()
              | Xive2Registers.POLL_OFFSET_MASK.mask());
      await(
          id,
          Xive2Registers.EASC_CTRL,
          Xive2Registers.POLL_VALID,
          () -> get(Xive2Registers.VC_PAGE, Xive2Registers.EASC_CTRL));
    }
  }
}
