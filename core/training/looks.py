"""Photos as other cameras, lights and files would have made them: colour, blur, noise, JPEG."""

import cv2
import numpy as np
from jaxtyping import UInt8

Picture = UInt8[np.ndarray, "H W 3"]


def other_look(picture: Picture, random: np.random.Generator) -> Picture:
    """The same view with other colours, sharpness, noise and compression; nothing moves."""
    values = picture.astype(np.float32) * np.float32(1 / 255)
    values = _coloured(values, random)
    if random.random() < 0.3:
        values = cv2.GaussianBlur(values, (0, 0), float(random.uniform(0.3, 1.6)))
    if random.random() < 0.4:
        noise = random.standard_normal(values.shape, np.float32)
        if random.random() < 0.3:
            noise = cv2.GaussianBlur(noise, (0, 0), 0.8)
        values = values + noise * np.float32(random.uniform(0.005, 0.06))
    result = (values * 255 + 0.5).clip(0, 255).astype(np.uint8)
    if random.random() < 0.3:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(random.integers(25, 90))]
        decoded = cv2.imdecode(cv2.imencode(".jpg", result, quality)[1], cv2.IMREAD_COLOR)
        assert decoded is not None
        return decoded.astype(np.uint8, copy=False)
    return result


def _coloured(values: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Exposure, gamma, contrast, white balance, saturation; gray now and then."""
    gains = np.exp(random.normal(0, 0.15) + random.normal(0, 0.05, 3)).astype(np.float32)
    values = (values * gains).clip(0, None) ** np.float32(np.exp(random.normal(0, 0.2)))
    gray = values @ np.array([0.3, 0.59, 0.11], np.float32)
    saturation = 0.0 if random.random() < 0.05 else random.uniform(0.4, 1.5)
    values = gray[..., None] + (values - gray[..., None]) * np.float32(saturation)
    middle = gray.mean()
    return (values - middle) * np.float32(np.exp(random.normal(0, 0.15))) + middle
