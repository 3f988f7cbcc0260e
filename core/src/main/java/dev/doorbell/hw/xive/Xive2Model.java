package dev.doorbell.hw.xive;

import dev.doorbell.bits.RegisterPorts;
import dev.doorbell.bus.PhysicalMemory;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// POWER10's XIVE2: its registers in four pages, and a page for the context of each thread. Targets have indices with 7 bits of a thread, whatever
/// CQ_XIVE_CFG says. What was in a cache has been forgotten when VC_EASC_FLUSH_POLL was written.
public final class Xive2Model extends XiveEventModel {
  private final RegisterPorts cq = new RegisterPorts(Xive2Registers.CQ_MAP);
  private final RegisterPorts vc = new RegisterPorts(Xive2Registers.VC_MAP);
  private final RegisterPorts pc = new RegisterPorts(Xive2Registers.PC_MAP);
  private final RegisterPorts tctxt = new RegisterPorts(Xive2Registers.TCTXT_MAP);
  private final List<RegisterPorts> pages = List.of(cq, vc, pc, tctxt);
  private long config;

  public Xive2Model(PhysicalMemory memory) {
    super(memory, XiveGeneration.SECOND);
    cq.on(Xive2Registers.CFG, _ -> config, (_, v) -> config = v);
    virtualizing(vc, Xive2Registers.VC_VSD_ADDR, Xive2Registers.VC_VSD_DATA);
    vc.on(Xive2Registers.EASC_CTRL, _ -> 0);
    vc.on(
        Xive2Registers.EASC_POLL,
        _ -> 0,
        (_, v) -> forget(Xive2Registers.POLL_BLOCK.get(v), Xive2Registers.POLL_OFFSET.get(v)));
    presenting(pc, Xive2Registers.PC_VSD_ADDR, Xive2Registers.PC_VSD_DATA);
    enabled(tctxt, Xive2Registers.EN0, 0);
    enabling(tctxt, Xive2Registers.EN0_SET, Xive2Registers.EN0_RESET, 0);
    enabled(tctxt, Xive2Registers.EN1, 1);
    enabling(tctxt, Xive2Registers.EN1_SET, Xive2Registers.EN1_RESET, 1);
  }

  @Override
  int slot(long select) {
    return slot(
        Xive2Registers.VST_SELECT.getInt(select), Xive2Registers.VST_ADDRESS.getInt(select));
  }

  @Override
  boolean isPort(long offset) {
    return offset / Xive2Registers.PAGE == Xive2Registers.NOTIFY / Xive2Registers.PAGE;
  }

  @Override
  @Nullable RegisterPorts at(long offset) {
    int page = (int) (offset / Xive2Registers.PAGE);
    if (page < pages.size()) {
      return pages.get(page);
    }
    long thread = (offset - Xive2Registers.CONTEXTS) / Xive2Registers.PAGE;
    return offset >= Xive2Registers.CONTEXTS && thread < Xive2Registers.MOST_THREADS
        ? thread((int) thread).ports()
        : null;
  }
}
