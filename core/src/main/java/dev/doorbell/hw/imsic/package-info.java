/// IMSIC: the interrupt files of RISC-V harts, which take messages (RISC-V Advanced Interrupt Architecture 1.0, chapter 3).
@NullMarked
package dev.doorbell.hw.imsic;

import org.jspecify.annotations.NullMarked;
