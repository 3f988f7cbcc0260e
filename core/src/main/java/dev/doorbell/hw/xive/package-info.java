/// Interrupt controllers of POWER9 (XIVE) and POWER10 (XIVE2): event assignment (EAS), event notification descriptors (END) with their queues in memory, notification targets
/// (NVT) and the contexts of hardware threads (TIMA).
///
/// **Source**: bits typed from skiboot 7.1 `include/xive-regs.h`, `include/xive-p9-regs.h` and `include/xive2-regs.h`; compared with QEMU 10.0 `include/hw/ppc/xive_regs.h`, `xive2_regs.h`,
/// `hw/intc/pnv_xive_regs.h` and `pnv_xive2_regs.h`. Both are by one vendor; the manual was not at hand.
@NullMarked
package dev.doorbell.hw.xive;

import org.jspecify.annotations.NullMarked;
