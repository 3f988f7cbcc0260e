/// The PAMU: layouts, driver and walker on the model.
@NullMarked
package dev.doorbell.hw.pamu;

import org.jspecify.annotations.NullMarked;
