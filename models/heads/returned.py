"""Whether units of an order line come back."""

import keras

from models import fields
from models.heads.binary import BinaryHead


@keras.saving.register_keras_serializable("larder")
class ReturnedHead(BinaryHead):
    """Probability that something of a line comes back within the return window."""

    loss_names = ("returned",)
    target, output_name = fields.TARGET_RETURNED, "return_probability"
