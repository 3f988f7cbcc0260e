/// GICv2: layouts, model by section, driver on the model.
@NullMarked
package dev.doorbell.hw.gicv2;

import org.jspecify.annotations.NullMarked;
