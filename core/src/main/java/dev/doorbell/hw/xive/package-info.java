/// POWER9's interrupt controller XIVE: event assignment (EAS), event notification descriptors (END) with their queues in memory, notification targets
/// (NVT) and the contexts of hardware threads (TIMA).
///
/// **Source**: bits typed from skiboot 7.1 `include/xive-regs.h` and `include/xive-p9-regs.h`; compared with QEMU 10.0 `include/hw/ppc/xive_regs.h` and
/// `hw/intc/pnv_xive_regs.h`. Both are by one vendor; the manual was not at hand.
@NullMarked
package dev.doorbell.hw.xive;

import org.jspecify.annotations.NullMarked;
