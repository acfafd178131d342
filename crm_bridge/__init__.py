"""The CRM core by business area, and the bridges to outside systems."""
